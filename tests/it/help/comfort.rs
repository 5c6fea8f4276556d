//! The help of the commands that make every day easier.

use super::help;

#[test]
fn the_help_of_completions_says_where_each_script_goes() {
    insta::assert_snapshot!(help(&["completions", "--help"]), @r#"
    Print a script that completes commands and flags in your shell
    
    The script knows this version's commands: make it anew after an update, or have the shell ask for it
    when it starts.
    
    Usage: ecosystem completions [OPTIONS] <SHELL>
    
    Arguments:
      <SHELL>
              Whose script
              
              [possible values: bash, elvish, fish, powershell, zsh]
    
    Options:
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    Global options:
      -C <DIR>
              Run as if started in DIR
    
      -v, --verbose...
              Say more on standard error: -v what is fetched, -vv each request, -vvv everything
    
      -q, --quiet
              Say nothing but the result and errors
    
          --color <WHEN>
              When to use colours; `auto` respects `NO_COLOR` and the terminal
              
              [default: auto]
              [possible values: auto, always, never]
    
    Examples:
      # bash, with bash-completion
      mkdir -p ~/.local/share/bash-completion/completions
      ecosystem completions bash \
        > ~/.local/share/bash-completion/completions/ecosystem
    
      # bash without it: at each start, in ~/.bashrc
      eval "$(ecosystem completions bash)"
    
      # zsh, with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
      mkdir -p ~/.zfunc
      ecosystem completions zsh > ~/.zfunc/_ecosystem
    
      # fish
      mkdir -p ~/.config/fish/completions
      ecosystem completions fish > ~/.config/fish/completions/ecosystem.fish
    
      # PowerShell: at each start, in the file that $PROFILE names
      ecosystem completions powershell | Out-String | Invoke-Expression
    
      # elvish: at each start, in ~/.config/elvish/rc.elv
      eval (ecosystem completions elvish | slurp)
    "#);
}

#[test]
fn the_help_of_man_says_what_is_written() {
    insta::assert_snapshot!(help(&["man", "--help"]), @r#"
    Print a manual page, or write all of them
    
    Without --dir it prints the page of the program, or of COMMAND. With it, the pages of the program
    and of every command are written to files there, and replace those of another version.
    
    Usage: ecosystem man [OPTIONS] [COMMAND]
    
    Arguments:
      [COMMAND]
              The command whose page is printed [default: the program itself]
    
    Options:
          --dir <DIR>
              Write ecosystem.1 and ecosystem-COMMAND.1 for each command to this directory
    
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    Global options:
      -C <DIR>
              Run as if started in DIR
    
      -v, --verbose...
              Say more on standard error: -v what is fetched, -vv each request, -vvv everything
    
      -q, --quiet
              Say nothing but the result and errors
    
          --color <WHEN>
              When to use colours; `auto` respects `NO_COLOR` and the terminal
              
              [default: auto]
              [possible values: auto, always, never]
    
    Examples:
      # Read the page of the program, and of a command (macOS, BSD: `| mandoc -a`)
      ecosystem man | man -l -
      ecosystem man dispatch | man -l -
    
      # Install them all, so that `man ecosystem-dispatch` finds its page
      ecosystem man --dir ~/.local/share/man/man1
    
      # In a package
      ecosystem man --dir "$DESTDIR/usr/share/man/man1"
    "#);
}
