"""The start page, and the reader's own choice of language and colours."""

from starlette.responses import Response

from recognizance.governing.entrance import SetUp
from recognizance.web.frame import Page
from recognizance.web.language import Language
from recognizance.web.security import is_local_path
from recognizance.web.visits import LANGUAGE_COOKIE, THEME_COOKIE, YEAR_S, Theme, Visit


class StartPages:
    def __init__(self, set_up: SetUp) -> None:
        self._set_up = set_up

    def table(self) -> list[Page]:
        return [
            Page("/", self.start),
            Page("/preferences", self.preferences, has_form=True),
        ]

    def start(self, visit: Visit) -> Response:
        return visit.page("start.html", set_up_is_due=self._set_up.is_due)

    def preferences(self, visit: Visit) -> Response:
        """Keep a choice in a cookie, and go back to where it was made."""
        back = visit.form.raw("back")
        response = visit.redirect(back if is_local_path(back) else "/")
        if visit.is_post:
            language, theme = visit.form.raw("language"), visit.form.raw("theme")
            if language in set(Language):
                visit.cookies.set(response, LANGUAGE_COOKIE, language, max_age_s=YEAR_S)
            if theme in set(Theme):
                visit.cookies.set(response, THEME_COOKIE, theme, max_age_s=YEAR_S)
        return response
