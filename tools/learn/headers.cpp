// The object that carries the precompiled headers.
