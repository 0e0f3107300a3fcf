#include "gate/reports/xml_root.h"

#include "../expect.h"

Test(xml_root, the_first_element)
{
    static const struct {
        const char *text, *name, *tag;
    } rows[] = {
        {"<a/>", "a", "/"},
        {"<a b=\"c\">x", "a", " b=\"c\""},
        {"\xef\xbb\xbf \n<?xml version=\"1.0\"?>\n<!-- <no/> -->\n<!DOCTYPE a SYSTEM "
         "\"x\">\n<ns:a>",
         "a", ""},
        {"<!DOCTYPE a [\n<!ENTITY b \"c>\">\n]>\n<a>", "a", ""},
        {"<a b=\"c", "a", " b=\"c"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct xml_root root;
        cr_assert(xml_root(str_of(rows[i].text), &root), "%s", rows[i].text);
        expect_str(root.name, rows[i].name);
        expect_str(root.tag, rows[i].tag);
    }
}

Test(xml_root, what_is_no_xml)
{
    static const char *const rows[] = {"",         "   ",   "<",  "< a>", "x<a>",
                                       "<!-- <a>", "<?xml", "{}", "<>"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct xml_root root;
        cr_expect_not(xml_root(str_of(rows[i]), &root), "%s", rows[i]);
    }
}
