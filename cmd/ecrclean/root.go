package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
)

func init() { cobra.EnableCommandSorting = false } // the groups have an order

func root(e env.Env, args []string) *cobra.Command {
	c := &cobra.Command{
		Use:           "ecrclean",
		Short:         "Show, explain and remove what lifecycle policies expire in Amazon ECR",
		Version:       buildVersion(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return exit.Usagef("unknown command %q%s; see ecrclean --help", args[0], nearest.Hint(args[0], commandNames(c)))
			}
			c.SetOut(c.ErrOrStderr())
			return cmp.Or(c.Help(), exit.Usagef("a command is missing; the list above has them"))
		},
	}
	c.SetVersionTemplate("{{.Version}}\n")
	c.SetFlagErrorFunc(flagError)
	c.SetArgs(args)
	c.SetOut(e.Stdout)
	c.SetErr(e.Stderr)
	noProgress := c.PersistentFlags().Bool("no-progress", false, "do not show on the standard error stream how far the command is")
	c.PersistentFlags().Bool("debug", false, "after an error, also print it as the AWS SDK gives it")
	colour := terminal.Auto
	c.PersistentFlags().Var(&colour, "color", "print colours: auto (on a terminal, without NO_COLOR), always or never")
	var all []*session.Flags
	c.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if *noProgress {
			e.Progress.End()
		}
		for _, f := range all {
			f.Terminal = f.Terminal.Coloured(colour)
		}
		if debug, _ := c.Flags().GetBool("debug"); debug {
			c.SetContext(awsclient.WithLog(c.Context(), e.Stderr))
		}
		return refuseEmpty(c)
	}
	for _, g := range groups {
		c.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, command := range g.commands {
			f := &session.Flags{Env: e}
			all = append(all, f)
			sub := command.make(f)
			f.Command, sub.GroupID, sub.Example = sub, g.id, indented(command.examples)
			c.AddCommand(sub)
		}
	}
	c.SetHelpCommandGroupID(other)
	c.SetCompletionCommandGroupID(other)
	describeCompletion(c)
	fitHelp(c, e.Terminal.Out.Width)
	return c
}

// fitHelp folds the help to the width of the terminal, and to 80 columns elsewhere.
func fitHelp(c *cobra.Command, width int) {
	const usual = 80
	if width == 0 {
		width = usual
	}
	c.SetUsageTemplate(strings.ReplaceAll(c.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", width)))
	help := c.HelpFunc()
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.Long = text.Reflow(cmp.Or(c.Long, c.Short), width)
		examples := strings.Split(c.Example, "\n")
		for i, line := range examples {
			examples[i] = strings.ReplaceAll(text.Fold(line, width-len(` \`)), "\n", " \\\n")
		}
		c.Example = strings.Join(examples, "\n")
		help(c, args)
	})
}

// describeCompletion says in the help of cobra's own command how to use it.
func describeCompletion(c *cobra.Command) {
	c.InitDefaultCompletionCmd()
	completion, _, _ := c.Find([]string{"completion"}) // it is there
	completion.Short = "Complete in your shell: source <(ecrclean completion bash)"
	completion.Long = `Print a script that completes commands and flags in your shell. Load it in each new
shell, for example from ~/.bashrc. "ecrclean completion SHELL --help" has more.`
	completion.Example = indented([]string{
		"source <(ecrclean completion bash)",
		"source <(ecrclean completion zsh)",
		"ecrclean completion fish > ~/.config/fish/completions/ecrclean.fish",
	})
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		shells := commandNames(c)
		return exit.Usagef("unknown shell %q%s; use %s", args[0], nearest.Hint(args[0], shells), english.WordSeries(shells, "or"))
	}
}

// indented indents each line as the help does.
func indented(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return "  " + strings.Join(lines, "\n  ")
}

func commandNames(c *cobra.Command) []string {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return names
}

// refuseEmpty refuses a text or list flag that is given with an empty value, such as that of
// a variable that is not set. Without its value a command could do more than was meant.
func refuseEmpty(c *cobra.Command) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		var elements []string
		if list, ok := f.Value.(pflag.SliceValue); ok {
			elements = list.GetSlice()
			value = strings.Join(elements, "")
		}
		// Of repositories to leave out, each counts: without one the command would do more.
		lacking := f.Name == "exclude" && slices.Contains(elements, "")
		if err != nil || strings.TrimSpace(value) != "" && !lacking {
			return
		}
		advice := "; give a value, or leave the flag out"
		switch {
		case value != "" && lacking:
			err = exit.Usagef("--exclude %s has an empty pattern; take out the comma or the empty line", strings.Join(elements, ","))
			return
		case f.Name == "repositories":
			advice = " and selects nothing; leave it out for every repository"
		case f.Name == "config" && f.DefValue != "":
			advice = "; give a configuration, or leave the flag out to use CLEANER_CONFIG"
		case f.Name == "config":
			advice = "; give a configuration, or leave the flag out to apply the attached policies"
		}
		err = exit.Usagef("--%s is empty%s", f.Name, advice)
	})
	return err
}

// instead says what to do instead of giving a flag that a command does not have.
var instead = map[string]string{
	"plan --dry-run":        "plan deletes nothing; run: ecrclean plan",
	"apply --dry-run":       "to see what apply would delete, run: ecrclean plan",
	"delete --dry-run":      "without --yes, delete shows the images and asks first",
	"attach --dry-run":      "without --yes, attach shows the changes and asks first",
	"fleet plan --dry-run":  "fleet plan removes nothing; run: ecrclean fleet plan",
	"fleet apply --dry-run": "to see what it would remove, run: ecrclean fleet plan, or give --plan-only",
	"delete --policy":       "delete evaluates no policy; run: ecrclean apply --policy FILE -r REPOSITORY",
}

// flagError adds to the error of an unknown flag what to do, or the flag that was probably meant.
func flagError(c *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	if advice := instead[strings.TrimPrefix(c.CommandPath(), "ecrclean ")+" --"+unknown.GetSpecifiedName()]; advice != "" {
		return exit.Usagef("%w; %s", err, advice)
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if i := nearest.Index(unknown.GetSpecifiedName(), names); i >= 0 {
		return exit.Usagef("%w (did you mean --%s?)", err, names[i])
	}
	return err
}
