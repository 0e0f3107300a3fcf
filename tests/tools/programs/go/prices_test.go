package shop

import "testing"

func TestMember(t *testing.T) {
	if Price(2, true) != 5 {
		t.Error("a member pays less")
	}
}

func TestOrders(t *testing.T) {
	t.Run("nothing", func(t *testing.T) {
		if Price(0, true) != -1 {
			t.Error("nothing cannot be ordered")
		}
	})
	t.Run("that fails", func(t *testing.T) {
		t.Errorf("have %d, want 6", Price(2, true))
	})
}

func TestSkipped(t *testing.T) {
	t.Skip("not sold yet")
}
