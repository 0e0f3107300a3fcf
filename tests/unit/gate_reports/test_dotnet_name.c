#include "gate/reports/dotnet_name.h"

#include <criterion/criterion.h>

Test(dotnet_name, of_an_assembly)
{
    static const struct {
        const char *path, *stem, *folder;
    } rows[] = {
        {"C:\\w\\bin\\net8.0\\Shop.Tests.dll", "Shop.Tests", "C:\\w\\bin\\net8.0"},
        {"/w/bin/Shop.Tests.DLL", "Shop.Tests", "/w/bin"},
        {"file:///C:/w/Shop.exe", "Shop", "file:///C:/w"},
        {"Shop.Tests", "Shop.Tests", ""},
        {".dll", ".dll", ""},
        {"/w/", "", "/w"},
        {"", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str path = str_of(rows[i].path);
        cr_expect(str_is(dotnet_stem(path), rows[i].stem), "%s", rows[i].path);
        cr_expect(str_is(dotnet_folder(path), rows[i].folder), "%s", rows[i].path);
    }
}

Test(dotnet_name, of_a_class)
{
    static const struct {
        const char *qualified, *want;
    } rows[] = {
        {"Shop.Cart", "Shop.Cart"},
        {"Shop.Cart, Shop.Tests, Version=1.0.0.0, Culture=neutral", "Shop.Cart"},
        {"Shop.Of`1[[System.Int32, mscorlib]], Shop", "Shop.Of`1[[System.Int32, mscorlib]]"},
        {"Shop.Odd]], Shop", "Shop.Odd]]"},
        {" Shop.Cart ", "Shop.Cart"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect(str_is(dotnet_class(str_of(rows[i].qualified)), rows[i].want), "%s",
                  rows[i].qualified);
}

Test(dotnet_name, of_a_method)
{
    static const struct {
        const char *full, *fixture, *method, *class_name;
    } rows[] = {
        {"Shop.Cart.Adds(2)", "Shop.Cart", "Adds(2)", "Shop.Cart"},
        {"Shop.Cart.Adds(2.5)", "Cart", "Adds(2.5)", "Shop.Cart"},
        {"Shop.Outer+Cart.Adds", "Cart", "Adds", "Shop.Outer+Cart"},
        {"Shop.MyCart.Adds", "Cart", "Shop.MyCart.Adds", "Cart"},
        {"Shop.Cart(42).Adds", "Shop.Cart(42)", "Adds", "Shop.Cart(42)"},
        {"Shop.Cart(42).Adds", "Shop.Cart", "Shop.Cart(42).Adds", "Shop.Cart"},
        {"adds up", "Shop.Cart", "adds up", "Shop.Cart"},
        {"Shop.Cart.", "Shop.Cart", "Shop.Cart.", "Shop.Cart"},
        {"Shop.Cart", "Shop.Cart", "Shop.Cart", "Shop.Cart"},
        {"Shop.Cart.Adds", "", "Shop.Cart.Adds", ""},
        {"", "Cart", "", "Cart"},
        {"aaa.aa.b", "aa", "b", "aaa.aa"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str class_name;
        str method = dotnet_split(str_of(rows[i].full), str_of(rows[i].fixture), &class_name);
        cr_expect(str_is(method, rows[i].method), "%s: " STR_FMT, rows[i].full, STR_ARG(method));
        cr_expect(str_is(class_name, rows[i].class_name), "%s: " STR_FMT, rows[i].full,
                  STR_ARG(class_name));
    }
}
