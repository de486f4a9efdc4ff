// Shims for what Swift cannot import from libc; see System.
#pragma once
