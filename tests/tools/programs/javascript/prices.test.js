'use strict';

// Mocha, Jest and Vitest run this file alike: one of each result, the failure is meant.
const assert = require('node:assert');
const { price } = require('./prices.js');

describe('an order', () => {
  it('costs a member less', () => {
    assert.strictEqual(price(2, true), 5);
  });

  it('of nothing cannot be', () => {
    assert.throws(() => price(0, true));
  });

  it('fails here, with <a> & "b"', () => {
    assert.strictEqual(price(2, true), 6);
  });

  it.skip('is not sold yet', () => {
    assert.fail();
  });
});
