// Where in a file something stands, moved along with the bytes that are read.
//
//     struct xml_place place = {0, 1, 0};
//     xml_place_pass(&place, STR("<a>\n  "));      // {6, 2, 2}
#ifndef GATE_DOC_XML_PLACE_H
#define GATE_DOC_XML_PLACE_H

#include "gate/base/str.h"

#include <stdint.h>

struct xml_place {
    uint64_t offset;
    uint32_t line, column; // line from 1, column from 0, in characters of UTF-8
};

// Moves behind these bytes: \n, \r\n and \r end a line. Bytes must not end between \r and \n.
void xml_place_pass(struct xml_place *place, str bytes);

#endif
