"""`python -m recaffe COMMAND ...`."""

from __future__ import annotations

from .tools.main import end, main

end(main())
