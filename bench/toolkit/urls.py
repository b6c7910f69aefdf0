"""The toolkit's own views, at the paths of the server that it is compared with; below ``/bench`` what a load needs."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from oauth2_provider.views import DynamicClientRegistrationView, IntrospectTokenView, TokenView

from .seeding import codes, introspector

registration = DynamicClientRegistrationView.as_view()


def register(request: HttpRequest) -> HttpResponse:
    """Register a client as nobody in particular: it asks who is signed in, and no middleware is there to say."""
    request.user = AnonymousUser()
    return registration(request)


urlpatterns = [
    path("token", TokenView.as_view()),
    path("introspect", IntrospectTokenView.as_view()),
    path("register", register),
    path("bench/codes", codes),
    path("bench/introspector", introspector),
    path("", include("oauth2_provider.urls")),  # a registration is answered by an address of these
]
