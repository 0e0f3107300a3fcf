# Toolchain of the static binary for aarch64; SLUICE_SYSROOT is a prefix made by `sysroot`.
set(SLUICE_ARCH aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
