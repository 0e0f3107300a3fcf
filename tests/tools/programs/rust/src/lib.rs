//! What an order costs.

/// The price of an order, if anything is ordered.
pub fn price(amount: i32, member: bool) -> Option<i32> {
    if amount <= 0 {
        return None;
    }
    let mut total = amount * 3;
    if member {
        total -= 1;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::price;

    #[test]
    fn a_member_pays_less() {
        assert_eq!(price(2, true), Some(5));
    }

    #[test]
    fn nothing_cannot_be_ordered() {
        assert_eq!(price(0, true), None);
    }

    #[test]
    fn that_fails() {
        assert_eq!(price(2, true), Some(6), "<a> & \"b\"");
    }

    #[test]
    #[ignore = "not sold yet"]
    fn that_is_ignored() {}
}
