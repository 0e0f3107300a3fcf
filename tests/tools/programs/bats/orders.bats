#!/usr/bin/env bats

@test "a member pays less" {
    [ $((2 * 3 - 1)) = 5 ]
}

@test "fails here, with <a> & \"b\"" {
    [ $((2 * 3 - 1)) = 6 ]
}

@test "is not sold yet" {
    skip "later"
}
