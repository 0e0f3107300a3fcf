'use strict';

module.exports = [{ rules: { 'no-eval': 'error', 'no-unused-vars': 'warn' } }];
