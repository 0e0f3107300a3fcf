// XML answers of the query protocol and of S3 as the same trees that JSON gives. An element with
// text is a string, one with elements a map, and one whose elements are all called `member` (or
// `item`, or share a name and there are two or more) a list of them. Attributes and namespaces are
// left out. The root element's own name is not part of the tree.
//
//     <A><LoadBalancers><member><Name>x</Name></member></LoadBalancers></A>
//     {"LoadBalancers": [{"Name": "x"}]}
//
// XML cannot tell an empty list from an empty text: `<Rules/>` is an empty string, which has no
// children either, so walking `first` works for both.
#ifndef DEPLOY_CLOUD_AWS_XML_H
#define DEPLOY_CLOUD_AWS_XML_H

#include "gate/doc/node.h"

// ERROR_INPUT when it is no XML, ERROR_LIMIT past LIMIT_DOC_NODES.
bool aws_xml_read(struct arena *arena, str bytes, const struct node **ret, struct error *err);

#endif
