#include "scene.h"

#include <criterion/criterion.h>
#include <stdio.h>

static str read_shell(struct scene *s, const char *path)
{
    str out;
    cr_assert_eq(0, scene_shell(s, &out, "cat %s", path));
    return out;
}

Test(sign, what_is_signed_is_checked)
{
    struct scene s;
    scene_open(&s);
    struct sign_key *key = scene_key(&s, "ada");
    struct sign_public by, own = sign_key_public(key);
    struct text armored = text_of(SIGN_ARMORED);
    cr_assert(sign_bytes(key, STR("payload\n"), &armored, &s.err));
    cr_assert(sign_check(STR("payload\n"), text_str(&armored), &by, &s.err), "%s", s.err.message);
    cr_expect_eq(0, memcmp(&by, &own, sizeof by));
    cr_expect_not(sign_check(STR("payload"), text_str(&armored), &by, &s.err));
    cr_expect_eq(s.err.kind, ERROR_DENIED);
    // Any one byte of the signature changed makes it none.
    for (size_t i = 0; i < armored.len; i++) {
        armored.data[i] ^= 1;
        cr_expect_not(sign_check(STR("payload\n"), text_str(&armored), &by, &s.err), "byte %zu", i);
        armored.data[i] ^= 1;
    }
    text_done(&armored);
    sign_key_close(key);
    scene_close(&s);
}

Test(sign, ssh_keygen_accepts_and_makes_the_same)
{
    struct scene s;
    scene_open(&s);
    struct sign_key *key = scene_key(&s, "ada");
    struct sign_public by;
    struct text armored = text_of(SIGN_ARMORED);
    cr_assert(sign_bytes(key, STR("payload\n"), &armored, &s.err));
    cr_expect_eq(0, scene_shell(&s, NULL,
                                "printf 'payload\\n' > m && cat > m.sig <<'E'\n%s\nE\n"
                                "printf 'ada ' > allowed && cat ada.pub >> allowed && "
                                "ssh-keygen -Y verify -f allowed -I ada -n git -s m.sig < m",
                                text_c(&armored)));
    cr_assert_eq(0, scene_shell(&s, NULL, "rm m.sig && ssh-keygen -q -Y sign -f ada -n git m"));
    cr_expect(sign_check(STR("payload\n"), read_shell(&s, "m.sig"), &by, &s.err), "%s",
              s.err.message);
    cr_assert_eq(0, scene_shell(&s, NULL, "rm m.sig && ssh-keygen -q -Y sign -f ada -n file m"));
    cr_expect_not(sign_check(STR("payload\n"), read_shell(&s, "m.sig"), &by, &s.err));
    char fingerprint[SIGN_FINGERPRINT];
    str listed;
    cr_assert_eq(0, scene_shell(&s, &listed, "ssh-keygen -l -f ada.pub"));
    by = sign_key_public(key);
    cr_expect(str_search(listed, str_of(sign_fingerprint(&by, fingerprint))) != STR_NONE, "%s %s",
              listed.data, fingerprint);
    cr_expect(str_starts(read_shell(&s, "ada.pub"), str_of(sign_public_text(&s.arena, &by))));
    text_done(&armored);
    sign_key_close(key);
    scene_close(&s);
}

Test(sign, keys_of_both_formats_are_read_and_others_refused)
{
    static const struct {
        const char *make;
        enum error_kind kind; // ERROR_NONE = it is read
        const char *words;
    } rows[] = {
        {"ssh-keygen -q -t ed25519 -N '' -f k", ERROR_NONE, ""},
        {"openssl genpkey -algorithm ed25519 -out k", ERROR_NONE, ""},
        {"ssh-keygen -q -t ed25519 -N secret -f k", ERROR_INPUT, "encrypted"},
        {"openssl genpkey -algorithm ed25519 -aes256 -pass pass:x -out k", ERROR_INPUT,
         "encrypted"},
        {"ssh-keygen -q -t ecdsa -N '' -f k", ERROR_INPUT, "not an ed25519 key"},
        {"ssh-keygen -q -t rsa -b 2048 -N '' -f k", ERROR_INPUT, "not an ed25519 key"},
        {"openssl genpkey -algorithm rsa -out k", ERROR_INPUT, "not an ed25519 key"},
        {"ssh-keygen -q -t ed25519 -N '' -f k && sed -i 3d k", ERROR_INPUT, "signing key"},
        {"ssh-keygen -q -t ed25519 -N '' -f x && mv x.pub k", ERROR_INPUT, "neither"},
        {"true", ERROR_ABSENT, "signing key"},
    };
    struct scene s;
    scene_open(&s);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sign_key *key = NULL;
        s.err = (struct error){0};
        cr_assert_eq(0, scene_shell(&s, NULL, "rm -f k k.pub x; %s", rows[i].make));
        str path = arena_format(&s.arena, "%s/k", s.folder);
        bool ok = sign_key_open(path, &key, &s.err);
        cr_expect_eq(ok, rows[i].kind == ERROR_NONE, "row %zu: %s", i, s.err.message);
        cr_expect_eq(s.err.kind, rows[i].kind, "row %zu: %s", i, s.err.message);
        cr_expect(str_search(str_of(s.err.message), str_of(rows[i].words)) != STR_NONE,
                  "row %zu: %s", i, s.err.message);
        if (ok) { // the text itself works as well as the path
            struct sign_key *same;
            cr_assert(sign_key_open(read_shell(&s, "k"), &same, &s.err), "%s", s.err.message);
            struct sign_public a = sign_key_public(key), b = sign_key_public(same);
            cr_expect_eq(0, memcmp(&a, &b, sizeof a));
            sign_key_close(same);
        }
        sign_key_close(key);
    }
    cr_expect_not(sign_key_open(STR(" "), &(struct sign_key *){NULL}, &s.err));
    scene_close(&s);
}

Test(sign, allowed_signers_are_read_strictly)
{
    struct arena arena = {0};
    struct error err = {0};
    struct signers signers;
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
    cr_assert(signers_parse(&arena, "allowed",
                            STR("# keys\n\nada@x " KEY " ada\n"
                                "bob namespaces=\"file,git\" " KEY "\n"
                                "eve namespaces=\"file\" " KEY "\n"
                                "old ssh-rsa AAAAB3NzaC1yc2E=\n"),
                            &signers, &err),
              "%s", err.message);
    cr_assert_eq(signers.count, 2u);
    struct sign_public key;
    for (unsigned char i = 0; i < SIGN_PUBLIC; i++)
        key.bytes[i] = i;
    cr_assert_not_null(signers_find(&signers, &key));
    cr_expect(str_is(signers_find(&signers, &key)->principals, "ada@x"));
    key.bytes[0] = 9;
    cr_expect_null(signers_find(&signers, &key));
    static const char *const wrong[] = {
        "ca cert-authority " KEY "\n",
        "ada valid-before=\"20200101\" " KEY "\n",
        "ada ssh-ed25519 AAAA\n",
        "ada ssh-ed25519\n",
        KEY "\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_not(signers_parse(&arena, "allowed", str_of(wrong[i]), &signers, &err), "%zu", i);
        cr_expect_eq(err.kind, ERROR_INPUT);
        cr_expect_eq(err.at.line, 1u);
    }
    arena_done(&arena);
}

Test(sign, stock_git_verifies_the_ledgers_commits)
{
    struct scene s;
    scene_open(&s);
    struct sign_key *key = scene_key(&s, "ada");
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, key);
    for (int i = 0; i < 5; i++)
        scene_append(&s, ledger, "sample.judged", "r", "");
    ledger_close(ledger);
    str out;
    cr_expect_eq(0,
                 scene_shell(&s, &out,
                             "printf 'ada@x namespaces=\"git\" ' > allowed && cat ada.pub >> "
                             "allowed && cd work && git config gpg.format ssh && git config "
                             "gpg.ssh.allowedSignersFile ../allowed && for c in $(git rev-list "
                             "release-ledger); do git verify-commit -v $c || exit 1; done"),
                 "%s", out.data);
    cr_expect(str_search(out, STR("Good \"git\" signature for ada@x")) != STR_NONE, "%s", out.data);
    // Signed by a key that is not listed.
    cr_expect_neq(0, scene_shell(&s, &out,
                                 "ssh-keygen -q -t ed25519 -N '' -f eve && printf 'eve ' > allowed "
                                 "&& cat eve.pub >> allowed && git -C work verify-commit "
                                 "release-ledger"));
    sign_key_close(key);
    scene_close(&s);
}
