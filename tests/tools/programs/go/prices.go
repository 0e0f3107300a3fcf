// Package shop says what an order costs. Its tests leave some of it out on purpose.
package shop

// Price is that of an order, -1 for none.
func Price(amount int, member bool) int {
	if amount <= 0 {
		return -1
	}
	total := amount * 3
	if member {
		total--
	}
	return total
}

// Refund is what is given back.
func Refund(amount int) int {
	return -Price(amount, false)
}
