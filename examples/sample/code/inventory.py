"""A small stock room: what is there, what must be ordered."""

from dataclasses import dataclass


@dataclass
class Item:
    """One kind of thing on the shelf."""

    name: str
    quantity: int
    reorder_below: int
    price_cents: int


class Inventory:
    """Everything on the shelves, by name."""

    def __init__(self):
        self.items = {}

    def receive(self, name, quantity):
        """Add delivered goods to the shelf."""
        self.items[name].quantity += quantity

    def ship(self, name, quantity):
        """Take goods off the shelf; refuses to ship more than there is."""
        item = self.items[name]
        if quantity > item.quantity:
            raise ValueError(f"only {item.quantity} of {name} left")
        item.quantity -= quantity

    def to_order(self):
        """Return the items whose stock has fallen below their reorder level."""
        return [item for item in self.items.values() if item.quantity < item.reorder_below]

    def total_value(self):
        """Return what all goods on the shelves are worth, in cents."""
        return sum(item.quantity * item.price_cents for item in self.items.values())
