#include "actions/cli/command.h"

int main(int argc, char **argv)
{
    return sluice_main(argc, argv);
}
