package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;

/** One of each result: the failure and the error are meant. */
class PricesTest {
    @Test
    void aMemberPaysLess() {
        assertEquals(5, Prices.price(2, true));
    }

    @Test
    void nothingCannotBeOrdered() {
        assertThrows(IllegalArgumentException.class, () -> Prices.price(0, true));
    }

    @Test
    void thatFails() {
        assertEquals(6, Prices.price(2, true), "<a> & \"b\"");
    }

    @Test
    void withAnError() {
        throw new IllegalStateException("the till does not open");
    }

    @Test
    @Disabled("not sold yet")
    void thatIsSkipped() {
    }
}
