'use strict';

function price(amount, member) {
  if (amount <= 0) {
    throw new Error('nothing is ordered');
  }
  let total = amount * 3;
  if (member) {
    total -= 1;
  }
  return total;
}

function refund(amount) {
  return -price(amount, false);
}

module.exports = { price, refund };
