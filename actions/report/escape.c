#include "actions/report/gate_text.h"

void markdown_escape(str s, struct text *out)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == '\n' || c == '\r' || c == '\t')
            text_addc(out, ' ');
        else if (c < 0x20 || c == 0x7f)
            text_adds(out, "\xef\xbf\xbd");
        else if (c == '<')
            text_adds(out, "&lt;");
        else if (c == '>')
            text_adds(out, "&gt;");
        else if (c == '&')
            text_adds(out, "&amp;");
        else if (c == '@' || c == '#')
            text_addf(out, "&#%u;", (unsigned)c); // no mention of people, no link to issues
        else if (c == ':' && i + 2 < s.len && s.data[i + 1] == '/' && s.data[i + 2] == '/')
            text_adds(out, "&#58;"); // no link made of a bare address
        else if (memchr("\\`*_{}[]()!|~$", c, 14))
            text_addf(out, "\\%c", (char)c);
        else
            text_addc(out, (char)c);
    }
}

// C0 controls, DEL, and the C1 controls that terminals obey (U+0080 to U+009F, in UTF-8).
void terminal_escape(str s, struct text *out)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        bool c1 = c == 0xc2 && i + 1 < s.len && (unsigned char)s.data[i + 1] >= 0x80 &&
                  (unsigned char)s.data[i + 1] <= 0x9f;
        if (c == '\n' || c == '\t') {
            text_addc(out, ' ');
        } else if (c < 0x20 || c == 0x7f) {
            text_addc(out, '?');
        } else if (c1) {
            text_addc(out, '?');
            i++;
        } else {
            text_addc(out, (char)c);
        }
    }
}
