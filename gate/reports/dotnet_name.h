// Names as the test tools of .NET write them.
//
//     dotnet_stem(STR("C:\\w\\bin\\net8.0\\Shop.Tests.dll"))           // "Shop.Tests"
//     dotnet_folder(STR("C:\\w\\bin\\net8.0\\Shop.Tests.dll"))         // "C:\\w\\bin\\net8.0"
//     dotnet_class(STR("Shop.Cart, Shop.Tests, Version=1.0.0.0"))      // "Shop.Cart"
//     dotnet_split(STR("Shop.Cart.Adds(2)"), STR("Cart"), &class_name) // "Adds(2)", "Shop.Cart"
//
// All answers are parts of what is given.
#ifndef GATE_REPORTS_DOTNET_NAME_H
#define GATE_REPORTS_DOTNET_NAME_H

#include "gate/base/str.h"

str dotnet_stem(str assembly_path);
// It keeps runs of one assembly apart that was built for several frameworks.
str dotnet_folder(str assembly_path);
str dotnet_class(str qualified);
// The method in a full name, and its class. `fixture` is the class or the end of its name; where
// the full name does not hold it, *ret_class is `fixture` and the answer is all of `full`.
str dotnet_split(str full, str fixture, str *ret_class);

#endif
