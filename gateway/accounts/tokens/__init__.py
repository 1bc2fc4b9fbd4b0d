"""How people and hospital systems sign in, stay signed in and sign out."""
