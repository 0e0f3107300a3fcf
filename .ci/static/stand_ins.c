/*
 * Stands in for the libc functions that depend on what the machine has installed, in the static
 * binary only. The linker turns every reference to them here (--wrap, see static.cmake).
 *
 * Shared objects. A static glibc answers the name service functions by loading the modules that
 * /etc/nsswitch.conf names, and with them the machine's libc: another version than the one linked
 * here. On a machine with, say, libnss_resolve the process then aborts in the loader. libcrypto's
 * dlopen for engines and providers ends in the same place. So nothing is loaded: names, numeric
 * addresses too, are resolved by c-ares, ports are numbers, a user or group that is asked for by
 * name does not exist.
 *
 * Locale. libarchive asks for the locale's character set to turn member names into UTF-8 and back.
 * Where no UTF-8 locale is installed, the pax writer then refuses a non-ASCII name, and the readers
 * give NULL for it. Names here are UTF-8 wherever the program runs.
 */
#include <grp.h>
#include <langinfo.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <pwd.h>
#include <stddef.h>

// NOLINTBEGIN(readability-identifier-naming): the linker gives the names
int __wrap_SSL_CTX_set_default_verify_paths(SSL_CTX *context);
char *__real_nl_langinfo(nl_item item);
char *__wrap_nl_langinfo(nl_item item);
void *__wrap_dlopen(const char *file, int flags);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret);
void __wrap_freeaddrinfo(struct addrinfo *list);
struct hostent *__wrap_gethostbyname(const char *name);
struct servent *__wrap_getservbyname(const char *name, const char *protocol);
int __wrap_getservbyname_r(const char *name, const char *protocol, struct servent *entry,
                           char *buffer, size_t size_bytes, struct servent **ret);
int __wrap_getservbyport_r(int port, const char *protocol, struct servent *entry, char *buffer,
                           size_t size_bytes, struct servent **ret);
struct passwd *__wrap_getpwuid(uid_t id);
struct passwd *__wrap_getpwnam(const char *name);
struct group *__wrap_getgrgid(gid_t id);
struct group *__wrap_getgrnam(const char *name);
int __wrap_getpwuid_r(uid_t id, struct passwd *entry, char *buffer, size_t size_bytes,
                      struct passwd **ret);
int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size_bytes,
                      struct passwd **ret);
int __wrap_getgrgid_r(gid_t id, struct group *entry, char *buffer, size_t size_bytes,
                      struct group **ret);
int __wrap_getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size_bytes,
                      struct group **ret);

int __wrap_SSL_CTX_set_default_verify_paths(SSL_CTX *context)
{
    (void)context;
    return 1;
}

char *__wrap_nl_langinfo(nl_item item)
{
    static char utf8[] = "UTF-8";
    return item == CODESET ? utf8 : __real_nl_langinfo(item);
}

void *__wrap_dlopen(const char *file, int flags)
{
    (void)file, (void)flags;
    return NULL;
}

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret)
{
    (void)node, (void)service, (void)hints, (void)ret;
    return EAI_FAIL;
}

/* The list is always empty; glibc's own would bring its getaddrinfo along. */
void __wrap_freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

struct hostent *__wrap_gethostbyname(const char *name)
{
    (void)name;
    return NULL;
}

struct servent *__wrap_getservbyname(const char *name, const char *protocol)
{
    (void)name, (void)protocol;
    return NULL;
}

int __wrap_getservbyname_r(const char *name, const char *protocol, struct servent *entry,
                           char *buffer, size_t size_bytes, struct servent **ret)
{
    (void)name, (void)protocol, (void)entry, (void)buffer, (void)size_bytes;
    *ret = NULL;
    return 0;
}

int __wrap_getservbyport_r(int port, const char *protocol, struct servent *entry, char *buffer,
                           size_t size_bytes, struct servent **ret)
{
    (void)port, (void)protocol, (void)entry, (void)buffer, (void)size_bytes;
    *ret = NULL;
    return 0;
}

struct passwd *__wrap_getpwuid(uid_t id)
{
    (void)id;
    return NULL;
}

struct passwd *__wrap_getpwnam(const char *name)
{
    (void)name;
    return NULL;
}

struct group *__wrap_getgrgid(gid_t id)
{
    (void)id;
    return NULL;
}

struct group *__wrap_getgrnam(const char *name)
{
    (void)name;
    return NULL;
}

int __wrap_getpwuid_r(uid_t id, struct passwd *entry, char *buffer, size_t size_bytes,
                      struct passwd **ret)
{
    (void)id, (void)entry, (void)buffer, (void)size_bytes;
    *ret = NULL;
    return 0;
}

int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size_bytes,
                      struct passwd **ret)
{
    (void)name, (void)entry, (void)buffer, (void)size_bytes;
    *ret = NULL;
    return 0;
}

int __wrap_getgrgid_r(gid_t id, struct group *entry, char *buffer, size_t size_bytes,
                      struct group **ret)
{
    (void)id, (void)entry, (void)buffer, (void)size_bytes;
    *ret = NULL;
    return 0;
}

int __wrap_getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size_bytes,
                      struct group **ret)
{
    (void)name, (void)entry, (void)buffer, (void)size_bytes;
    *ret = NULL;
    return 0;
}
// NOLINTEND(readability-identifier-naming)
