#include "gate/reports/ecosystem.h"

// Words that begin so belong to it ("suse linux enterprise server", "opensuse.leap").
static const struct {
    const char *start, *ecosystem;
} families[] = {{"suse", "rpm"},     {"opensuse", "rpm"}, {"sles", "rpm"},
                {"gradle", "maven"}, {"sbt", "maven"},    {"composer", "composer"}};

static const struct {
    const char *ecosystem;
    const char *words[16];
} ecosystems[] = {
    {"deb", {"deb", "debian", "ubuntu"}},
    {"apk", {"apk", "alpine", "wolfi", "chainguard"}},
    {"rpm",
     {"rpm", "redhat", "rhel", "centos", "rocky", "alma", "fedora", "amazon", "amzn", "oracle",
      "ol", "photon", "cbl-mariner", "azurelinux"}},
    {"pypi", {"pypi", "pip", "pipenv", "poetry", "uv", "python-pkg"}},
    {"npm", {"npm", "yarn", "pnpm", "bun", "node-pkg"}},
    {"golang", {"golang", "go", "gomod", "gobinary", "gomodules", "golangdep", "govendor"}},
    {"maven", {"maven", "jar", "pom"}},
    {"cargo", {"cargo", "rustbinary", "rust-binary"}},
    {"gem", {"gem", "bundler", "gemspec", "rubygems"}},
    {"nuget", {"nuget", "dotnet-core", "packages-props", "paket"}},
    {"hex", {"hex"}},
    {"swift", {"swift"}},
    {"cocoapods", {"cocoapods"}},
};

str ecosystem_of(str word)
{
    word = str_cut(&word, ':');
    for (size_t i = 0; i < sizeof ecosystems / sizeof *ecosystems; i++)
        for (size_t k = 0; k < 16 && ecosystems[i].words[k]; k++)
            if (str_is(word, ecosystems[i].words[k]))
                return str_of(ecosystems[i].ecosystem);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (str_starts(word, str_of(families[i].start)))
            return str_of(families[i].ecosystem);
    return (str){"", 0};
}
