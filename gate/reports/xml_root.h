// The start of an XML report: which root element it has, seen without parsing the whole.
#ifndef GATE_REPORTS_XML_ROOT_H
#define GATE_REPORTS_XML_ROOT_H

#include "gate/base/str.h"

#include <stdint.h>

struct xml_root {
    str name;  // without a namespace prefix
    str tag;   // what stands between name and '>'; cut where the bytes end
    str after; // what follows the tag
};

// False when the bytes do not begin like XML (white space and a byte order mark may come first).
bool xml_root(str first_bytes, struct xml_root *ret);

// Some tools write white space before the XML declaration, which XML does not allow. It is passed
// over; `*skipped` counts it, so that offsets stay those of the file.
//
//     struct xml_lead lead = {0};
//     ok = xml_feed(xml, xml_lead_cut(&lead, bytes), err);
struct xml_lead {
    uint64_t skipped;
    bool over;
};
str xml_lead_cut(struct xml_lead *lead, str bytes);

#endif
