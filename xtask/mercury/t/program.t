# The command line.
use Mojo::Base -strict, -signatures;
use FindBin qw($Bin);
use lib "$Bin/lib";
use Test::More;
use TestBroker;

# What it prints, both outputs, and its exit status.
sub called (@arguments) {
    my $pid = open my $output, '-|' // die $!;
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or die $!;
        exec $^X, "$Bin/../broker.pl", @arguments or die $!;
    }
    my $text = join '', readline $output;
    close $output;
    return ($text, $? >> 8);
}

subtest 'a wrong argument is named, and the status is 2' => sub {
    my @table = (
        [['--nothing'], qr/nothing/], [['word'], qr/word is no option/],
        [['--defect', 'nothing'], qr/no defect nothing; --defects lists them/],
        [['--listen', 'port'], qr/--listen takes/], [['--listen', 'http://127.0.0.1:65536'], qr/--listen takes/],
        [['--ping', '0'], qr/--ping/], [['--ping', 'x'], qr/ping/],
        [['--allow-origin', 'a b'], qr/a b is no origin pattern/],
    );
    for my $row (@table) {
        my ($text, $status) = called(@{ $row->[0] });
        like $text, $row->[1], "@{ $row->[0] }";
        is $status, 2;
    }
};

subtest 'a port in use is status 1' => sub {
    my $broker = broker();
    my ($text, $status) = called('--listen', $broker->{url});
    like $text, qr/\Abroker\.pl: \Q$broker->{url}\E: .*in use/;
    is $status, 1;
};

subtest 'the help says how to use it' => sub {
    my ($text, $status) = called('--help');
    like $text, qr/--allow-origin PATTERN/;
    is $status, 0;
};

subtest 'every defect of the list can be switched on, all of them at once too' => sub {
    my ($text, $status) = called('--defects');
    is $status, 0;
    my @names = $text =~ /^(\S+) /mg;
    cmp_ok scalar @names, '>', 10;
    ok broker(map { ('--defect', $_) } @names)->peer('/bus/x');
};

subtest 'every defect has a test that cites its name' => sub {
    my ($text) = called('--defects');
    my $tests = join '', map { open my $file, '<', $_ or die "$_: $!"; readline $file } glob "$Bin/*.t";
    like $tests, qr/\b\Q$_\E\b/ for $text =~ /^(\S+) /mg;
};

done_testing;
