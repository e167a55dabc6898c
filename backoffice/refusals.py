"""Every refusal of a service as one helpful sentence."""

from functools import singledispatch

from django.core.exceptions import ValidationError

from catalog.errors import (
    CategoryInUse,
    ImportRefused,
    KindFixed,
    NumberTaken,
    PhotoRefused,
    ProductUnavailable,
)


@singledispatch
def sentence(_refusal: Exception) -> str:
    return "Somebody changed the same thing at the same moment. Please look again and retry."


@sentence.register
def _invalid(refusal: ValidationError) -> str:
    return " ".join(refusal.messages)


@sentence.register
def _number(refusal: NumberTaken) -> str:
    return (
        f"Number {refusal.number} belongs to “{refusal.product_name}”. Please choose another one."
    )


@sentence.register
def _kind(_refusal: KindFixed) -> str:
    return "This product has goods already, so it keeps its kind. Add a new product instead."


@sentence.register
def _category(refusal: CategoryInUse) -> str:
    count = refusal.on_sale + refusal.off_sale
    products = "1 product" if count == 1 else f"{count} products"
    hint = f" ({refusal.off_sale} of them off sale)" if refusal.off_sale else ""
    return f"“{refusal.name}” still has {products}{hint}. Move them to another category first."


@sentence.register
def _photo(refusal: PhotoRefused) -> str:
    return f"The photo was not taken: {refusal.reason}."


@sentence.register
def _gone(_refusal: ProductUnavailable) -> str:
    return "This product is off sale. Put it back on sale first."


@sentence.register
def _import(refusal: ImportRefused) -> str:
    return f"Nothing was stored: {refusal.reason}."
