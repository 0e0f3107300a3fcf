package shop;

import static org.testng.Assert.assertEquals;

import org.testng.annotations.DataProvider;
import org.testng.annotations.Test;

/** What TestNG knows: parameters, a failure that is meant, and a test that depends on it. */
public class OrdersTest {
    @DataProvider
    public Object[][] orders() {
        return new Object[][] {{2, 5}, {4, 11}};
    }

    @Test(dataProvider = "orders")
    public void aMemberPaysLess(int amount, int cost) {
        assertEquals(Prices.price(amount, true), cost);
    }

    @Test(expectedExceptions = IllegalArgumentException.class)
    public void nothingCannotBeOrdered() {
        Prices.price(0, true);
    }

    @Test
    public void thatFails() {
        assertEquals(Prices.price(2, true), 6, "<a> & \"b\"");
    }

    @Test(dependsOnMethods = "thatFails")
    public void thatIsSkipped() {
    }
}
