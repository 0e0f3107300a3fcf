#include "deploy/cloud/aws_profile.h"

#include "deploy/world/files.h"
#include "gate/base/limits.h"

static void add(struct aws_profiles *profiles, str profile, str key, str value)
{
    profiles->settings = arena_grow(&profiles->arena, profiles->settings, profiles->count,
                                    &profiles->room, sizeof *profiles->settings);
    profiles->settings[profiles->count++] = (struct aws_setting){profile, key, value};
}

// In the config file all but `default` stand as [profile NAME]; other sections are not profiles.
static str section_name(str line, bool is_config)
{
    size_t end = str_find(line, ']');
    str name = str_trim(str_first(str_from(line, 1), end == STR_NONE ? line.len : end - 1));
    if (!is_config || str_is(name, "default"))
        return name;
    if (!str_starts(name, STR("profile ")) && !str_starts(name, STR("profile\t")))
        return (str){NULL, 0};
    return str_trim(str_from(name, 8));
}

// A comment begins with ` #` or ` ;`.
static str without_comment(str value)
{
    for (size_t i = 1; i < value.len; i++)
        if ((value.data[i] == '#' || value.data[i] == ';') &&
            (value.data[i - 1] == ' ' || value.data[i - 1] == '\t'))
            return str_trim(str_first(value, i));
    return value;
}

static bool read_lines(struct aws_profiles *profiles, const char *path, str bytes, bool is_config,
                       struct error *err)
{
    str profile = {NULL, 0};
    bool in_section = false;
    uint32_t number = 0;
    while (bytes.len) {
        str raw = str_cut(&bytes, '\n'), line = str_trim(raw);
        number++;
        if (!line.len || line.data[0] == '#' || line.data[0] == ';')
            continue;
        if (line.data[0] == '[') {
            if (str_find(line, ']') == STR_NONE)
                return error_at(err, ERROR_INPUT, (struct position){NULL, number, 1},
                                "line %u of the AWS profiles in `%.200s`: `[` without `]`", number,
                                path);
            profile = section_name(line, is_config);
            in_section = true;
            if (profile.len) // so that an empty one is known to exist
                add(profiles, profile, STR(""), STR(""));
            continue;
        }
        if (raw.data[0] == ' ' || raw.data[0] == '\t')
            continue; // a setting within a setting, as of `s3 =`: none of these is ours
        str value = line, key = str_trim(str_cut(&value, '='));
        if (!value.data || !in_section)
            return error_at(err, ERROR_INPUT, (struct position){NULL, number, 1},
                            "line %u of the AWS profiles in `%.200s` is no `key = value` of a "
                            "[section]",
                            number, path);
        if (profile.len)
            add(profiles, profile, key, without_comment(str_trim(value)));
    }
    return true;
}

static const char *path_of(struct cloud *cloud, struct arena *arena, const char *variable,
                           const char *usual)
{
    const char *given = cloud_variable(cloud, variable), *home = cloud_variable(cloud, "HOME");
    if (given && !(given[0] == '~' && given[1] == '/'))
        return given;
    if (!home)
        return NULL;
    return arena_format(arena, "%s/%s", home, given ? given + 2 : usual).data;
}

bool aws_profiles_read(struct cloud *cloud, struct aws_profiles *ret, struct error *err)
{
    static const char *const variables[] = {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"};
    static const char *const usual[] = {".aws/credentials", ".aws/config"};
    struct aws_profiles profiles = {0};
    bool ok = true;
    for (int i = 0; i < 2 && ok; i++) {
        const char *path = path_of(cloud, &profiles.arena, variables[i], usual[i]);
        str bytes = {NULL, 0};
        struct error why = {0};
        if (!path)
            continue;
        if (!file_read(&profiles.arena, path, LIMIT_CONFIG_BYTES, &bytes, &why)) {
            if (why.kind == ERROR_ABSENT)
                continue;
            *err = why;
            ok = error_wrap(err, "reading the AWS profiles");
            break;
        }
        profiles.bytes[i] = bytes;
        ok = read_lines(&profiles, path, bytes, i == 1, err);
    }
    if (ok)
        *ret = profiles;
    else
        aws_profiles_done(&profiles);
    return ok;
}

str aws_profile_get(const struct aws_profiles *profiles, str profile, const char *key)
{
    for (size_t i = 0; i < profiles->count; i++)
        if (str_eq(profiles->settings[i].profile, profile) &&
            str_cmp_any_case(profiles->settings[i].key, str_of(key)) == 0)
            return profiles->settings[i].value;
    return (str){NULL, 0};
}

bool aws_profile_exists(const struct aws_profiles *profiles, str profile)
{
    for (size_t i = 0; i < profiles->count; i++)
        if (str_eq(profiles->settings[i].profile, profile))
            return true;
    return false;
}

void aws_profiles_done(struct aws_profiles *profiles)
{
    for (int i = 0; i < 2; i++)
        cloud_wipe(profiles->bytes[i]);
    arena_done(&profiles->arena);
    *profiles = (struct aws_profiles){0};
}
