# Toolchain of the static binary for x86_64; SLUICE_SYSROOT is a prefix made by `sysroot`.
set(SLUICE_ARCH x86_64)
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
