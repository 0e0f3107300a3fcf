#include "actions/cli/versions.h"

#include <archive.h>
#include <curl/curl.h>
#include <expat.h>
#include <git2.h>
#include <jansson.h>
#include <libssh2.h>
#include <openssl/crypto.h>
#include <yaml.h>

#ifndef SLUICE_VERSION
#define SLUICE_VERSION "unknown"
#endif
#ifndef SLUICE_COMMIT
#define SLUICE_COMMIT "unknown"
#endif

void versions_text(struct text *out)
{
    int major = 0, minor = 0, revision = 0;
    int yaml_major = 0, yaml_minor = 0, yaml_patch = 0;
    const char *expat = XML_ExpatVersion();
    const char *curl = curl_version_info(CURLVERSION_NOW)->version;
    (void)git_libgit2_version(&major, &minor, &revision);
    yaml_get_version(&yaml_major, &yaml_minor, &yaml_patch);
    text_addf(out, "sluice %s (commit %s)\n", SLUICE_VERSION, SLUICE_COMMIT);
    text_addf(out, "libgit2 %d.%d.%d, libcurl %s, libssh2 %s, %s,\n", major, minor, revision, curl,
              libssh2_version(0), OpenSSL_version(OPENSSL_VERSION));
    text_addf(out, "jansson %s, libyaml %d.%d.%d, %s, %s\n", jansson_version_str(), yaml_major,
              yaml_minor, yaml_patch, expat, archive_version_string());
}
