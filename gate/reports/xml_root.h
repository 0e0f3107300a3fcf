// The start of an XML report: which root element it has, seen without parsing the whole.
#ifndef GATE_REPORTS_XML_ROOT_H
#define GATE_REPORTS_XML_ROOT_H

#include "gate/base/str.h"

struct xml_root {
    str name;  // without a namespace prefix
    str tag;   // what stands between name and '>'; cut where the bytes end
    str after; // what follows the tag
};

// False when the bytes do not begin like XML (white space and a byte order mark may come first).
bool xml_root(str first_bytes, struct xml_root *ret);

#endif
