// What expat's error codes mean for the person who reads them.
#ifndef GATE_DOC_XML_WORDS_H
#define GATE_DOC_XML_WORDS_H

#include "gate/base/error.h"

struct xml_failure {
    int code; // of enum XML_Error
    struct position at;
    str innermost; // the element that is open; null data when none is
    bool empty;    // the file has no byte
};
void xml_explain(const struct xml_failure *failure, struct error *err);

#endif
