"""The reader's own choice of language and colours."""

from starlette.responses import Response

from recognizance.web.frame import Page
from recognizance.web.language import Language
from recognizance.web.security import is_local_path
from recognizance.web.visits import LANGUAGE_COOKIE, THEME_COOKIE, YEAR_S, Theme, Visit


class StartPages:
    def table(self) -> list[Page]:
        return [Page("/preferences", self.preferences, has_form=True)]

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
