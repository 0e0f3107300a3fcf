#include "deploy/artifact/object_url.h"

#include "deploy/cloud/aws_call.h"
#include "deploy/cloud/google_call.h"

enum { BUCKET_LEAST = 3, BUCKET_MOST = 222, KEY_MOST = 1024, PATH_MOST = 4096 };

static bool is_bucket(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (str_find(STR("abcdefghijklmnopqrstuvwxyz0123456789.-_"), s.data[i]) == STR_NONE)
            return false;
    return s.len >= BUCKET_LEAST && s.len <= BUCKET_MOST && s.data[0] != '.' && s.data[0] != '-';
}

static bool is_key(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < ' ' || s.data[i] == '\x7f')
            return false;
    return s.len > 0 && s.len <= KEY_MOST && s.data[0] != '/' && str_is_utf8(s);
}

static bool is_number(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    return s.len > 0;
}

bool object_url_read(str url, struct object_url *ret, struct error *err)
{
    struct object_url made = {.google = str_starts(url, STR("gs://"))};
    str mark = made.google ? STR("#") : STR("?versionId="),
        rest = str_from(url, sizeof "s3://" - 1);
    made.bucket = str_cut(&rest, '/');
    size_t at = str_search(rest, mark);
    made.key = at == STR_NONE ? rest : str_first(rest, at);
    if (at != STR_NONE)
        made.version = str_from(rest, at + mark.len);
    bool ok = (made.google || str_starts(url, STR("s3://"))) && is_bucket(made.bucket) &&
              is_key(made.key) &&
              (at == STR_NONE || (made.google ? is_number(made.version) : made.version.len > 0));
    if (!ok)
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` is no object in a bucket, such as "
                         "`s3://releases/web-v812.tar.zst` or `gs://releases/web-v812.tar.zst`",
                         STR_ARG(str_shorten(url, 200)));
    *ret = made;
    return true;
}

static void add_s3(struct text *path, const struct object_url *url)
{
    str key = url->key;
    text_addc(path, '/');
    aws_path_add(path, url->bucket);
    for (bool more = true; more;) {
        more = str_find(key, '/') != STR_NONE;
        text_addc(path, '/');
        aws_path_add(path, str_cut(&key, '/'));
    }
    if (url->version.len) {
        text_adds(path, "?versionId=");
        aws_path_add(path, url->version);
    }
}

static void add_google(struct text *path, const struct object_url *url, bool bytes)
{
    text_adds(path, "/storage/v1/b/");
    google_path_add(path, url->bucket);
    text_adds(path, "/o/");
    google_path_add(path, url->key);
    text_adds(path, bytes ? "?alt=media" : "?alt=json");
    if (url->version.len) {
        text_adds(path, "&generation=");
        google_path_add(path, url->version);
    }
}

str object_url_path(struct arena *arena, const struct object_url *url, bool bytes)
{
    struct text path = text_of(PATH_MOST);
    if (url->google)
        add_google(&path, url, bytes);
    else
        add_s3(&path, url);
    str made = arena_str(arena, text_str(&path));
    text_done(&path);
    return made;
}
