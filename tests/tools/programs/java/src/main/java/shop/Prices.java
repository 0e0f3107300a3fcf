package shop;

/** What an order costs. Its tests leave some of it out on purpose. */
public class Prices {
    public static int price(int amount, boolean member) {
        if (amount <= 0) {
            throw new IllegalArgumentException("nothing is ordered");
        }
        int total = amount * 3;
        if (member) {
            total -= 1;
        }
        return total;
    }

    public static int refund(int amount) {
        return -price(amount, false);
    }
}
