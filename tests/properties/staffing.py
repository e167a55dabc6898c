"""Staff: goods in and out, prices, bans, balances, cases."""

from decimal import Decimal
from functools import partial

from hypothesis import strategies as st

from accounts.models import Customer
from accounts.services.customers import set_role
from accounts.services.staff_balance import correct_balance, transfer_to_balance
from catalog.models import Product, ProductKind, StockBatch
from catalog.services.products import put_on_sale, take_off_sale, update_product
from catalog.services.stock import import_file, import_stock
from catalog.services.withdrawal import withdraw_batch
from orders.models import Voucher
from orders.services.voucher_editing import update_voucher
from payments.models import Case
from payments.services.cases import close_case
from tests.properties.rules import WHICH, ShopRules, step

WHAT = st.integers(0, 5)
BY = {"actor": "staff:1", "source": "admin"}


class Staffing(ShopRules):
    @step(weight=2, what=WHAT, count=st.integers(1, 3))
    def upload_stock(self, what, count) -> bool:
        product = self._product(what)
        contents = self.shop.town.fresh_contents(count if product.is_unique else 1)
        if product.kind == ProductKind.FILE:
            self._upload_file(product, contents[0])
            return True
        upload = partial(import_stock, product_id=product.pk, contents=contents, **self._now())
        self.shop.act("upload stock", upload)
        return True

    def _upload_file(self, product: Product, content: str) -> None:
        data = content.encode()
        upload = partial(
            import_file, product_id=product.pk, data=data, file_name="new.pdf", **self._now()
        )
        self.shop.act("upload file", upload)

    @step(which=WHICH)
    def withdraw_stock(self, which) -> bool:
        batch = self.pick(list(StockBatch.objects.order_by("pk")), which)
        assert batch is not None
        withdraw = partial(withdraw_batch, batch_id=batch.pk, **self._now())
        self.shop.act("withdraw batch", withdraw)
        return True

    @step(what=WHAT)
    def change_sale(self, what) -> bool:
        """One product at a time is off sale."""
        gone = Product.objects.exclude(deleted_at=None).first()
        product = gone or self._product(what)
        change = put_on_sale if gone else take_off_sale
        self.shop.act("change sale", partial(change, product_id=product.pk, **self._now()))
        return True

    @step(what=WHAT)
    def change_price(self, what) -> bool:
        product = self._product(what)
        changes = {"customer_price": product.customer_price + 1_000}
        change = partial(update_product, product_id=product.pk, changes=changes, **self._now())
        self.shop.act("change price", change)
        return True

    @step(who=WHICH)
    def change_ban(self, who) -> bool:
        """One customer at a time is banned."""
        banned = Customer.objects.filter(is_banned=True).first()
        customer, is_banned = banned or self.customer(who), banned is None
        change = partial(
            set_role, customer_id=customer.pk, role="is_banned", value=is_banned, **self._now()
        )
        self.shop.act("change ban", change)
        return True

    @step(who=WHICH)
    def change_reseller(self, who) -> bool:
        customer = self.customer(who)
        values = {"role": "is_reseller", "value": not customer.is_reseller}
        change = partial(set_role, customer_id=customer.pk, **values, **self._now())
        self.shop.act("change reseller", change)
        return True

    @step(which=WHICH)
    def change_voucher(self, which) -> bool:
        """One voucher at a time is switched off."""
        vouchers = self.shop.town.vouchers
        switched_off = Voucher.objects.filter(is_active=False).first()
        voucher = switched_off or vouchers[which % len(vouchers)]
        changes = {"is_active": switched_off is not None}
        change = partial(update_voucher, voucher_id=voucher.pk, changes=changes, **self._now())
        self.shop.act("change voucher", change)
        return True

    @step(who=WHICH, amount=st.sampled_from([500, 12_000, 60_000, 100_000]))
    def give_balance(self, who, amount) -> bool:
        self.give(self.customer(who), amount)
        return True

    @step(who=WHICH, amount=st.sampled_from([1, 10_000, 80_000]))
    def take_balance(self, who, amount) -> bool:
        self.give(self.customer(who), -amount)
        return True

    @step(which=WHICH, handed_over=st.sampled_from([False, False, True]))
    def close_a_case(self, which, handed_over) -> bool:
        case = self.pick(list(Case.objects.filter(closed_at=None).order_by("pk")), which)
        if case is None:
            return False
        how = {"resolution": "looked at", "handed_over": handed_over}
        close = partial(close_case, case_id=case.pk, **how, **self._now())
        self.shop.act("close case", close)
        return True

    def give(self, customer: Customer, amount: int) -> None:
        """Add to a balance, or correct it by so much; below nothing is refused."""
        key = str(self.shop.town.next_serial())
        if amount > 0:
            form = {"customer_id": customer.pk, "key": key, **self._now()}
            self.shop.act(
                "give balance", partial(transfer_to_balance, amount=Decimal(amount), **form)
            )
            self.books.grant(customer, amount, f"staff:transfer:{customer.pk}:{key}")
            return
        seen = Customer.objects.get(pk=customer.pk).account_balance
        form = {"customer_id": customer.pk, "key": key, "seen": seen, **self._now()}
        self.shop.act("correct balance", partial(correct_balance, balance=seen + amount, **form))
        self.books.grant(customer, amount, f"staff:correction:{customer.pk}:{key}")

    def _product(self, what: int) -> Product:
        return Product.objects.get(pk=self.shop.town.products[what].pk)

    def _now(self) -> dict[str, object]:
        return {**BY, "now": self.shop.now}
