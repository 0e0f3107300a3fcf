#ifndef SHOP_PRICES_H
#define SHOP_PRICES_H

int price(int amount, int member);
int refund(int amount);

#endif
