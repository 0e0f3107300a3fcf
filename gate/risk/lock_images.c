// Images by name: Dockerfiles and compose files. A tag is a version; a digest beside it does not
// matter here.
#include "gate/base/text.h"
#include "gate/risk/lock_parts.h"
#include "gate/risk/version.h"

#define ARGS 64

struct build_args {
    str names[ARGS], values[ARGS];
    size_t count;
};

static str arg_value(const struct build_args *args, str name)
{
    for (size_t i = args->count; i-- > 0;)
        if (str_eq(args->names[i], name))
            return args->values[i];
    return (str){0};
}

static bool name_char(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// What stands after a dollar: "{NAME}", "{NAME:-fallback}", "NAME". Takes it off *text.
static str variable(const struct build_args *args, str *text)
{
    str name, fallback = {0};
    if (text->data[0] == '{') {
        *text = str_from(*text, 1);
        name = str_cut(text, '}');
        size_t dash = str_find(name, '-');
        if (dash != STR_NONE) {
            fallback = str_from(name, dash + 1);
            name = str_first(name, dash);
        }
        if (str_ends(name, STR(":")))
            name.len--;
    } else {
        size_t n = 0;
        while (n < text->len && name_char(text->data[n]))
            n++;
        name = str_first(*text, n);
        *text = str_from(*text, n);
    }
    str value = arg_value(args, name);
    return value.len ? value : fallback;
}

// What is not known becomes nothing.
static str substitute(struct arena *arena, const struct build_args *args, str text)
{
    str out = {0};
    while (text.len) {
        size_t dollar = str_find(text, '$');
        out = arena_format(arena, STR_FMT STR_FMT, STR_ARG(out), STR_ARG(str_first(text, dollar)));
        if (dollar == STR_NONE || dollar + 1 >= text.len)
            break;
        text = str_from(text, dollar + 1);
        str value = variable(args, &text);
        out = arena_format(arena, STR_FMT STR_FMT, STR_ARG(out), STR_ARG(value));
    }
    return out;
}

// "docker.io/library/python:3.11-slim@sha256:…" is python 3.11-slim.
static bool add_image(struct lock_reading *r, str written, str image)
{
    struct version version;
    image = str_first(image, str_find(image, '@'));
    size_t slash = str_find_last(image, '/'), colon = str_find_last(image, ':');
    bool tagged = colon != STR_NONE && (slash == STR_NONE || colon > slash);
    struct locked one = {.ecosystem = STR("image"), .written = written};
    one.name = tagged ? str_first(image, colon) : image;
    one.version = tagged ? str_from(image, colon + 1) : (str){0};
    static const char *const hosts[] = {"docker.io/", "index.docker.io/", "library/"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (str_starts(one.name, str_of(hosts[i])))
            one.name = str_from(one.name, strlen(hosts[i]));
    if (one.name.len == 0)
        return true; // from a variable that only the build knows
    one.pin = version_parse(one.version, &version) ? PIN_EXACT : PIN_NONE;
    if (one.pin == PIN_NONE)
        one.version = (str){0};
    return lock_add(r, &one);
}

static str word(str *rest)
{
    *rest = str_trim(*rest);
    size_t n = 0;
    while (n < rest->len && rest->data[n] != ' ' && rest->data[n] != '\t')
        n++;
    str first = str_first(*rest, n);
    *rest = str_from(*rest, n);
    return first;
}

static bool word_is(str s, const char *upper)
{
    size_t n = strlen(upper);
    for (size_t i = 0; i < s.len && s.len == n; i++)
        if ((s.data[i] & ~0x20) != upper[i])
            return false;
    return s.len == n;
}

bool lock_dockerfile(struct lock_reading *r)
{
    struct build_args args = {0};
    str stages[ARGS], line;
    size_t stage_count = 0;
    bool any = false;
    while (lock_line(r, &line)) {
        str rest = str_trim(line), instruction = word(&rest);
        if (word_is(instruction, "ARG") && args.count < ARGS) {
            str value = str_trim(rest);
            args.names[args.count] = str_cut(&value, '=');
            args.values[args.count++] = lock_unquote(value);
        }
        if (!word_is(instruction, "FROM"))
            continue;
        any = true;
        str image = word(&rest);
        while (str_starts(image, STR("--")))
            image = word(&rest);
        bool own = str_is(image, "scratch");
        for (size_t i = 0; i < stage_count; i++)
            own |= str_eq(stages[i], image);
        str as = word(&rest), name = word(&rest);
        if (word_is(as, "AS") && stage_count < ARGS)
            stages[stage_count++] = name;
        if (!own && !add_image(r, image, substitute(r->locks->arena, &args, image)))
            return false;
    }
    return any || lock_refuse(r, 1, "this is no Dockerfile: it has no FROM");
}

// By the line: compose files may hold anchors and merge keys, which do not matter for an image.
bool lock_compose(struct lock_reading *r)
{
    struct build_args none = {0};
    str line;
    bool any = false;
    while (lock_line(r, &line)) {
        str rest = str_trim(line);
        any |= str_starts(rest, STR("services:"));
        if (!str_starts(rest, STR("image:")))
            continue;
        rest = str_trim(str_from(rest, 6));
        rest = lock_unquote(str_first(rest, str_search(rest, STR(" #"))));
        if (rest.len && !add_image(r, rest, substitute(r->locks->arena, &none, rest)))
            return false;
    }
    return any || lock_refuse(r, 1, "this is no compose file: it has no `services`");
}
