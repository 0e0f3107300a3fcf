# cmake -DOUT=file.c -DTABLE=name "-DFILES=a;b" -P embed.cmake: writes each file as a C array, and
# the table `name` of them.
set(body "#include \"policies/policies.h\"\n\n")
set(table "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  string(MAKE_C_IDENTIFIER ${name} id)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "(char)0x\\1," bytes "${hex}")
  string(APPEND body "static const char data_${id}[] = {${bytes}0};\n")
  string(APPEND table "    {\"${name}\", {data_${id}, sizeof data_${id} - 1}},\n")
endforeach()
string(APPEND body "\nconst struct policy_file ${TABLE}[] = {\n${table}    {0, {0, 0}},\n};\n")
file(WRITE ${OUT} "${body}")
