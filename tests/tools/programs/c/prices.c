#include "prices.h"

int price(int amount, int member)
{
    if (amount <= 0)
        return -1;
    int total = amount * 3;
    if (member)
        total -= 1;
    return total;
}

int refund(int amount)
{
    return -price(amount, 0);
}
