'use strict';

// One of each outcome that Playwright knows, without a browser: the failure is meant.
const { test, expect } = require('@playwright/test');
const { price } = require('./prices.js');

test.describe('an order', () => {
  test('costs a member less', () => {
    expect(price(2, true)).toBe(5);
  });

  test('comes right when it is tried again', ({}, testInfo) => {
    expect(testInfo.retry).toBe(1);
  });

  test('fails here', () => {
    expect(price(2, true)).toBe(6);
  });

  test.fail('is known to fail', () => {
    expect(price(2, true)).toBe(7);
  });

  test.skip('is not sold yet', () => {});
});
