from django.urls import path

from sandbox.pakasir import api, checkout, driving

urlpatterns = [
    path("api/v2/create-transaction/<slug>/<order_id>", api.create),
    path("api/v2/transaction-status/<slug>/<txn_id>", api.status),
    path("api/v2/cancel-transaction/<slug>/<txn_id>", api.cancel),
    path("api/v2/payment-fee/<int:amount>", api.fee),
    path("pay-v2/<txn_id>", checkout.page),
    path("api/transactions/", driving.transaction_list),
    path("api/faults/", driving.fault_list),
    path("api/faults/<int:fault_id>/", driving.fault),
    path("transactions/<txn_id>/pay/", driving.pay),
    path("<path:rest>", driving.nothing),
]
