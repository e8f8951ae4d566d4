//! The action's inputs and the command line, one struct for both.
