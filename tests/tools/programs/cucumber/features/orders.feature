Feature: orders

  Background:
    Given a shop

  Scenario: a member pays less
    When a member orders 2
    Then it costs 5

  Scenario: that fails
    When a member orders 2
    Then it costs 6

  Scenario: that has a step nobody wrote
    When a stranger comes in

  Scenario Outline: many
    When a member orders <amount>
    Then it costs <cost>

    Examples:
      | amount | cost |
      | 3      | 8    |
      | 4      | 11   |
