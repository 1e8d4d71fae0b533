"""The pages: what investigators, reviewers, overseers and the public see in a browser.

`frame` is what every page stands in, `visits` one request, `forms`, `language` and `security` what pages are written
with, and `site` the table of all of them. It does nothing to faces or records itself: it calls services as whoever is
signed in. See docs/pages.md.
"""

from recognizance.web.site import Services, site

__all__ = ["Services", "site"]
