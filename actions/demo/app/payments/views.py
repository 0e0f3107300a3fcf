from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from enrolment.models import Enrolment
from payments.models import PaymentRefused, pay


@require_POST
def create(request):
    try:
        enrolment_id = int(request.POST["enrolment"])
        amount_cents = int(request.POST["amount_cents"])
        reference = request.POST["reference"]
    except (KeyError, ValueError):
        return JsonResponse({"error": "enrolment, amount_cents and reference"}, status=400)
    enrolment = get_object_or_404(Enrolment.objects.select_related("course"), pk=enrolment_id)
    try:
        payment = pay(enrolment, amount_cents, reference)
    except PaymentRefused as refused:
        return JsonResponse({"error": str(refused)}, status=402)
    return JsonResponse({"payment": payment.pk}, status=201)
