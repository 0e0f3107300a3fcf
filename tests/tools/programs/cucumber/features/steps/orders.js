'use strict';

const assert = require('node:assert');
const { Given, When, Then } = require('@cucumber/cucumber');
const { price } = require('../../prices.js');

Given('a shop', () => {});

When('a member orders {int}', function (amount) {
  this.cost = price(amount, true);
});

Then('it costs {int}', function (cost) {
  assert.strictEqual(this.cost, cost);
});
