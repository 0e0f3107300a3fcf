# Vendors of the static build, under the names that the dynamic build has (`vendor_curl`, ...), and
# sluice_static_executable(TARGET), which links TARGET as the release binary is linked.
#
# Each archive is an imported target that names the archives it needs, so CMake finds an order in which
# one pass of the linker resolves everything.
set(CMAKE_POSITION_INDEPENDENT_CODE OFF) # the toolchain says -fPIE, which suits a static-pie better

function(sluice_archive name)
  add_library(archive_${name} STATIC IMPORTED GLOBAL)
  set_target_properties(archive_${name} PROPERTIES
    IMPORTED_LOCATION ${SLUICE_SYSROOT}/lib/lib${name}.a
    INTERFACE_INCLUDE_DIRECTORIES ${SLUICE_SYSROOT}/include)
  foreach(needed IN LISTS ARGN)
    target_link_libraries(archive_${name} INTERFACE archive_${needed})
  endforeach()
endfunction()

sluice_archive(z)
sluice_archive(bz2)
sluice_archive(lz4)
sluice_archive(lzma)
sluice_archive(zstd)
sluice_archive(nettle)
sluice_archive(crypto)
sluice_archive(ssl crypto)
sluice_archive(cares)
sluice_archive(nghttp2)
sluice_archive(http_parser)
sluice_archive(jansson)
sluice_archive(yaml)
sluice_archive(expat)
sluice_archive(ssh2 crypto z)
sluice_archive(curl nghttp2 cares ssl crypto z)
sluice_archive(git2 http_parser ssh2 ssl crypto z)
# nettle: the zip reader's decryption. libacl and libxml2 are absent on purpose: nothing that is kept by
# --gc-sections refers to them.
sluice_archive(archive nettle lzma zstd lz4 bz2 z)

foreach(vendor curl git2 ssh2 jansson archive yaml expat crypto ssl cares z)
  add_library(vendor_${vendor} INTERFACE)
  target_link_libraries(vendor_${vendor} INTERFACE archive_${vendor})
endforeach()
target_compile_definitions(vendor_curl INTERFACE CURL_STATICLIB)
target_compile_definitions(vendor_cares INTERFACE CARES_STATICLIB)

# Functions that depend on what the machine has installed; stand_ins.c takes their place and says why.
# The linker warns about those that would load a shared object, and its warnings are errors: a new one
# that creeps in stops the build.
set(SLUICE_WRAPPED dlopen getaddrinfo freeaddrinfo gethostbyname getservbyname getservbyname_r
    getservbyport_r getpwuid_r getpwnam_r getgrgid_r getgrnam_r getpwuid getpwnam getgrgid getgrnam
    nl_langinfo SSL_CTX_set_default_verify_paths)
set(SLUICE_STATIC_DIR ${CMAKE_CURRENT_LIST_DIR})

function(sluice_static_executable target)
  target_sources(${target} PRIVATE ${SLUICE_STATIC_DIR}/stand_ins.c)
  target_link_libraries(${target} PRIVATE vendor_ssl)
  list(TRANSFORM SLUICE_WRAPPED PREPEND -Wl,--wrap= OUTPUT_VARIABLE wraps)
  target_link_options(${target} PRIVATE
    -static-pie
    -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
    -Wl,--gc-sections -Wl,--build-id=sha1 -Wl,--fatal-warnings
    ${wraps})
  add_custom_command(TARGET ${target} POST_BUILD VERBATIM
    COMMAND ${CMAKE_OBJCOPY} --only-keep-debug $<TARGET_FILE:${target}> $<TARGET_FILE:${target}>.debug
    COMMAND ${CMAKE_STRIP} --strip-all $<TARGET_FILE:${target}>
    COMMAND ${CMAKE_OBJCOPY} --add-gnu-debuglink=$<TARGET_FILE:${target}>.debug
            $<TARGET_FILE:${target}>)
endfunction()

# The program that `check` runs: every vendor, linked as the release binary is.
add_executable(static_probe EXCLUDE_FROM_ALL ${SLUICE_STATIC_DIR}/probe.c
  ${CMAKE_SOURCE_DIR}/deploy/world/git_stream.c)
target_include_directories(static_probe PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(static_probe PRIVATE vendor_curl vendor_git2 vendor_ssh2 vendor_jansson
  vendor_archive vendor_yaml vendor_expat vendor_ssl vendor_crypto vendor_cares)
sluice_static_executable(static_probe)
