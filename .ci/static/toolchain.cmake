# What the toolchains of both architectures share; SLUICE_ARCH is set by the file that includes this.
#
# The flags stand here and not on the executable's target because every object that ends up in the
# binary needs them: the layers, and the libraries that `sysroot` rebuilds with this same file.
set(SLUICE_SYSROOT "" CACHE PATH "Prefix of static libraries, made by .ci/static/sysroot")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SLUICE_SYSROOT)
if(NOT SLUICE_SYSROOT)
  message(FATAL_ERROR "SLUICE_SYSROOT is empty: run .ci/static/sysroot ${SLUICE_ARCH} DIR, "
                      "then give -DSLUICE_SYSROOT=DIR")
endif()

if(NOT CMAKE_HOST_SYSTEM_PROCESSOR STREQUAL SLUICE_ARCH)
  set(CMAKE_SYSTEM_NAME Linux)
  set(CMAKE_SYSTEM_PROCESSOR ${SLUICE_ARCH})
endif()
set(CMAKE_C_COMPILER ${SLUICE_ARCH}-linux-gnu-gcc)
set(CMAKE_OBJCOPY ${SLUICE_ARCH}-linux-gnu-objcopy CACHE STRING "")
set(CMAKE_STRIP ${SLUICE_ARCH}-linux-gnu-strip CACHE STRING "")

# Libraries and headers come from the prefix and from the compiler, never from the machine's /usr.
set(CMAKE_FIND_ROOT_PATH ${SLUICE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(ENV{PKG_CONFIG_LIBDIR} ${SLUICE_SYSROOT}/lib/pkgconfig)

set(hardening -O2 -D_FORTIFY_SOURCE=2 -fPIE -fstack-protector-strong -fstack-clash-protection)
if(SLUICE_ARCH STREQUAL x86_64)
  list(APPEND hardening -fcf-protection)
else()
  list(APPEND hardening -mbranch-protection=standard)
endif()
list(APPEND hardening -ffunction-sections -fdata-sections)
# No path of the building machine in the binary: two builds in two folders give the same bytes.
list(APPEND hardening -ffile-prefix-map=${CMAKE_BINARY_DIR}=build
     -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${SLUICE_SYSROOT}=sysroot)
list(JOIN hardening " " CMAKE_C_FLAGS_INIT)
# Set as a cache entry because CMake would append -O3 -DNDEBUG: assertions stay on in a release.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g" CACHE STRING "")
# "D": no times, owners or modes inside the archives.
set(CMAKE_C_ARCHIVE_CREATE "<CMAKE_AR> qcD <TARGET> <LINK_FLAGS> <OBJECTS>")
set(CMAKE_C_ARCHIVE_FINISH "<CMAKE_RANLIB> -D <TARGET>")
