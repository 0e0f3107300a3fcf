// Signs requests that come as JSON lines, and says the signatures: test_aws_signing.py holds them
// against the public vectors and against another signer.
#include "deploy/cloud/aws_sign.h"
#include "gate/doc/json.h"

#include <stdio.h>
#include <stdlib.h>

static const struct http_header *headers_of(struct arena *arena, const struct node *list)
{
    struct http_header *headers =
        ARENA_ARRAY(arena, struct http_header, (list ? list->count : 0) + 1);
    size_t count = 0;
    for (const struct node *pair = list ? list->first : NULL; pair; pair = pair->next)
        headers[count++] = (struct http_header){arena_copy(arena, pair->first->text),
                                                arena_copy(arena, pair->first->next->text), NULL};
    return headers;
}

static void answer(struct arena *arena, const struct node *line, struct text *out)
{
    struct json_out json = json_out_of(out, JSON_COMPACT);
    struct secret key, token = {0};
    struct aws_signature signature;
    struct error err;
    str path = node_text(line, "path"), hash = node_text(line, "payload_hash");
    struct aws_signing signing = {
        .method = arena_copy(arena, node_text(line, "method")),
        .url = arena_copy(arena, node_text(line, "url")),
        .headers = headers_of(arena, node_get(line, "headers")),
        .body = node_text(line, "body"),
        .payload_hash = hash.len ? arena_copy(arena, hash) : NULL,
        .path = str_is(path, "as-is")     ? AWS_PATH_AS_IS
                : str_is(path, "encoded") ? AWS_PATH_ENCODED
                                          : AWS_PATH_NORMALIZED,
        .region = node_text(line, "region"),
        .service = node_text(line, "service"),
    };
    (void)json_get_bool(line, "signs_payload_hash", &signing.signs_payload_hash);
    (void)json_get_bool(line, "token_not_signed", &signing.token_not_signed);
    (void)json_get_i64(line, "now_ms", &signing.now_ms);
    secret_take(&key, node_text(line, "secret_key"));
    if (node_text(line, "session_token").len)
        secret_take(&token, node_text(line, "session_token"));
    signing.keys = (struct aws_keys){node_text(line, "access_key"), &key, &token};
    json_open_map(&json, NULL);
    if (aws_sign(&signing, arena, &signature, &err)) {
        json_add_str(&json, "authorization", signature.authorization);
        json_add_str(&json, "date", str_of(signature.date));
        json_add_str(&json, "payload_hash", str_of(signature.payload_hash));
    } else {
        json_add_str(&json, "error", str_of(err.message));
    }
    json_close(&json);
    secret_done(&key);
    secret_done(&token);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&line, &room, stdin)) > 0) {
        struct arena arena = {0};
        struct text out = text_of(LIMIT_JSON_TREE_BYTES);
        const struct node *tree;
        struct error err;
        if (json_parse(&arena, "input", str_make(line, (size_t)size), &tree, &err))
            answer(&arena, tree, &out);
        else
            text_addf(&out, "{\"error\": \"%s\"}", err.message);
        puts(text_c(&out));
        (void)fflush(stdout);
        text_done(&out);
        arena_done(&arena);
    }
    free(line);
    return 0;
}
